"""How far metrics agree with people: collections of human judgements, correlations, intervals."""
