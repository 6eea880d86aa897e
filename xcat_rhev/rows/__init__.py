"""What the columns of xCAT's tables mean, as plain values."""
