"""The process that gives verdicts, in a sandbox of its own: its client, its workers, proxies of objects."""
