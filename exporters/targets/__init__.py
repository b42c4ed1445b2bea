"""What is exported: one file a kind of model. Everything that knows a network's parts is here, and only here."""
