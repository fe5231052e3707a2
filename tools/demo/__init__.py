"""How the demo was drawn and how its models were trained."""
