"""How the demo was drawn and its models trained."""
