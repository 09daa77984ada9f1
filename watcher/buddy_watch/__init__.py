"""The watch loop: a save runs the affected tests at once; red ones are explained and fixed unasked."""
