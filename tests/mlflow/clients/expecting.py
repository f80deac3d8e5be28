"""What cases expect of a call that fails."""

from mlflow.exceptions import MlflowException


def code_of(call, *arguments, **options):
    """Return the error code that a call fails with."""
    try:
        call(*arguments, **options)
    except MlflowException as error:
        return error.error_code
    return "no error"
