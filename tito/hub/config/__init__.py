"""What JupyterHub is told, and what runs in its process: settings, people, scopes, services, log-ins, spawners."""
