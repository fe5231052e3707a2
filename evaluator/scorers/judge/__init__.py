"""Chat models as judges of captions: rubrics, questions, how an answer is read, and the scorer."""
