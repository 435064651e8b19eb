"""The command line's own."""

SENTENCES = {
    "command.input-output": "Reading or writing failed: {reason}. Check the disk, and where the output goes.",
    "serve.port-taken": "Port {port} of {host} is in use. Stop what uses it, or choose another with --port.",
    "serve.port-invalid": "{port} is not a port. Choose one from 0 to 65535.",
    "serve.address-unusable": "Port {port} of {host} cannot be listened on: {reason}. Choose another --host or --port.",
}
