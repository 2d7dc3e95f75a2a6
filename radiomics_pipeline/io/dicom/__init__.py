"""DICOM: series of images, masks and reports; pydicom and highdicom are used here only."""
