"""Every error that Newsflow raises on purpose.

* NewsflowError
  x ArticleRejected           the article at hand becomes a dead letter; the line goes on
  x UserError                 the command ends with the message and exit code 2
    + SettingsError           a setting is missing or wrong
    + InputError              a file named on the command line cannot be read
    + BrokerUnavailable       no broker answers, or it refuses us
    + TopicsMissing           the line's topics do not exist, or not as the line needs them
    + PortTaken               the local broker's port belongs to another process
    + BrokerFailed            the local broker could not be set up or ended by itself
  x DemoIncomplete            an article did not come through in the demo; exit code 1
  x WorkerMustStop            delivery met the unforeseen; the process ends and is restarted
  x BreakerOpen               a stage dead-letters most of what it reads; the worker ends and is not restarted
"""

from schemas import DeadLetterReason


class NewsflowError(Exception):
    """Base of all errors of Newsflow."""


class ArticleRejected(NewsflowError):
    """The article cannot be processed; the delivery makes it a dead letter with `reason`."""

    def __init__(self, reason: DeadLetterReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class UserError(NewsflowError):
    """Something the user can put right; the message says what, where and how."""


class SettingsError(UserError):
    """A setting is missing or wrong."""


class InputError(UserError):
    """An input file cannot be read."""


class BrokerUnavailable(UserError):
    """No broker answers at the configured address, or it refuses the credentials."""


class TopicsMissing(UserError):
    """The topics of the line do not exist or differ from what the line needs."""


class PortTaken(UserError):
    """The port asked for is in use by another process."""


class BrokerFailed(UserError):
    """The local broker could not be set up, or ended by itself."""


class DemoIncomplete(NewsflowError):
    """An article of the demo came out neither enriched nor dead."""


class WorkerMustStop(NewsflowError):
    """Delivery met something it has no answer to; going on could lose or double an article."""


class BreakerOpen(NewsflowError):
    """A stage dead-letters more than the set share of its latest records; a person must look."""
