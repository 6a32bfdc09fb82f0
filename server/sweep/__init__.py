"""Millions of estimates worked out on every core or a cluster, into a folder of Parquet files."""
