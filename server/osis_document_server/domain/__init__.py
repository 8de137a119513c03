"""What the service knows: values and rules, without input or output."""
