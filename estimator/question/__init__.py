"""What is asked, as plain values: request, cluster, layout; knows not where values come from."""
