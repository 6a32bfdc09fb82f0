// A host made of the reference implementation's bridge, for scripts/view: fetched and bundled when that runs.

import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

window.bridged = async ({ page, capabilities, context, asked, result }) => {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.style.cssText = "width: 100%; border: 0";
  document.body.append(frame);
  const bridge = new AppBridge(null, { name: "bridge", version: "1" }, capabilities, { hostContext: context });
  window.bridge = bridge;
  bridge.oninitialized = async () => {
    await bridge.sendToolInput({ arguments: asked });
    await bridge.sendToolResult(result);
  };
  bridge.oncalltool = ({ name, arguments: given }) => window.callTool(name, given);
  bridge.onupdatemodelcontext = async () => ({});
  bridge.onsizechange = ({ height }) => {
    frame.style.height = `${height}px`;
  };
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = page;
};
