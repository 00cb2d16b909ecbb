"""Values of a lung mask: 0 outside, and the patient's own sides."""

RIGHT, LEFT = 1, 2
