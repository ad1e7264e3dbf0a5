"""The factory that `portal demo` makes: eight thousand real deliveries, two weekly contracts, and work for today."""
