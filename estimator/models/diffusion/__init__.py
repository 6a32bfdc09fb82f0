"""Networks that remove noise from pictures and clips, and the frozen ones that prepare their inputs."""
