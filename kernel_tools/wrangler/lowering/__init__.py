"""Fitted recipes in other languages: source code, ONNX, scikit-learn. Each is made from the steps' expressions."""
