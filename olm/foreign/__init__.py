"""What other libraries write."""
