"""The only part of facelib that imports TensorFlow."""
