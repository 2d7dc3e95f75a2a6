"""What follows from predictions of rows left out: calibration, net benefit, risk groups, readers; sample size."""
