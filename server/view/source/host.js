// The host's side of MCP Apps, revision 2026-01-26: JSON-RPC over messages to the window that holds this page.

const PROTOCOL = "2026-01-26";
const NO_SUCH_METHOD = -32601;

// Connects to the host; `heard` is told {input, result, cancelled, context, teardown}. Resolves to what can be asked.
export async function connect(heard) {
  const waiting = new Map();
  let last = 0;
  const post = (message) => window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const notify = (method, params = {}) => post({ method, params });
  const request = (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      post({ id: last, method, params });
    });
  const hears = {
    "ui/notifications/tool-input": ({ arguments: asked }) => heard.input(asked ?? {}),
    "ui/notifications/tool-result": (result) => heard.result(result),
    "ui/notifications/tool-cancelled": () => heard.cancelled(),
    "ui/notifications/host-context-changed": (context) => heard.context(context),
    "ui/resource-teardown": () => heard.teardown(),
    ping: () => {},
  };
  window.addEventListener("message", ({ source, data }) => {
    if (source !== window.parent || data?.jsonrpc !== "2.0") return;
    const { id, method, params, result, error } = data;
    if (method === undefined) {
      const { resolve, reject } = waiting.get(id) ?? {};
      waiting.delete(id);
      if (error) reject?.(new Error(error.message));
      else resolve?.(result);
      return;
    }
    hears[method]?.(params ?? {});
    if (id === undefined) return;
    post(
      method in hears
        ? { id, result: {} }
        : { id, error: { code: NO_SUCH_METHOD, message: `Method not found: ${method}` } },
    );
  });

  const { hostCapabilities: can = {}, hostContext: context = {} } = await request("ui/initialize", {
    appInfo: { name: "traintime", version: VERSION },
    appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
    protocolVersion: PROTOCOL,
  });
  const text = (said) => [{ type: "text", text: said }];
  const quietly = (asked) => asked.catch(() => {}); // A host may refuse; nothing here depends on it.
  return {
    context,
    initialized: () => notify("ui/notifications/initialized"),
    resized: (width, height) => notify("ui/notifications/size-changed", { width, height }),
    call: can.serverTools && ((name, asked) => request("tools/call", { name, arguments: asked })),
    say: can.message && ((said) => quietly(request("ui/message", { role: "user", content: text(said) }))),
    tell: can.updateModelContext
      ? (said) => quietly(request("ui/update-model-context", { content: text(said) }))
      : () => {},
    display: async (mode) => (await request("ui/request-display-mode", { mode })).mode,
  };
}
