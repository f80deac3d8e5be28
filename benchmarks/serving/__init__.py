"""The peers' servers of one XGBoost model, each run in its peer's environment, as the peers' first pages show them."""
