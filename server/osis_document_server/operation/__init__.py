"""The program around the service: its processes, address, logs, keys and limits on this machine."""
