"""What other servers and the browsers' side use."""
