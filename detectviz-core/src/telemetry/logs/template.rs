//! Lines whose shape is known: what does not change between them is rendered once.
use super::{
    caller::Caller, fields::Fields, handle::Logs, line::Line, output::LineFormat,
    rendered::Rendered, value::Value,
};
use tracing::Level;

/// The part of a line that is the same whenever it is logged: level, place, target, message, and fields that do not change.
/// Made by [`Logs::template`], and written by [`Logs::entry`].
#[derive(Clone, Debug)]
pub struct LineTemplate {
    pub(super) level: Level,
    pub(super) format: LineFormat,
    /// From the timestamp to the end of the message, which stays open.
    pub(super) before: Rendered,
    /// The service and the fields.
    pub(super) after: Rendered,
    pub(super) truncated: bool,
}

/// The end of a message whose start is in a [`LineTemplate`]; made by [`Logs::message_suffix`].
#[derive(Clone, Debug)]
pub struct MessageSuffix {
    /// With the quote that closes the message.
    pub(super) text: Rendered,
    pub(super) truncated: bool,
}

/// Fields whose values do not change, to stand between others that do; made by [`Logs::static_fields`].
#[derive(Clone, Debug)]
pub struct StaticFields {
    pub(super) json: Rendered,
    pub(super) truncated: bool,
}

/// The most bytes of a suffix, its quotes included.
const MAX_SUFFIX: usize = 256;

/// What a line has beside a template and its fields: the timestamp, the suffix, the ids of the span.
const HEAD: usize = MAX_SUFFIX + 128;

// === impl Logs ===

impl Logs {
    /// Renders the part of a line that does not change. Names, secrets and lengths are looked after as
    /// [`event`](Self::event) does, here and not when a line is written.
    ///
    /// A template belongs to these logs: their format and their service are in it.
    #[must_use]
    pub fn template(
        &self,
        level: Level,
        target: &str,
        caller: Caller<'_>,
        message: &str,
        fields: impl FnOnce(&mut Fields<'_>),
    ) -> LineTemplate {
        let mut line = self.blank();
        line.origin(level, target, caller);
        line.message(Value::Str(message));
        let head = line.written_from(HEAD).len();
        line.ids(None, self.service());
        fields(&mut Fields::new(&mut line));
        let (before, after) = line.written_from(HEAD).split_at(head);
        // The quote that closes the message: a suffix may follow.
        let closed = usize::from(self.format() == LineFormat::Json);
        LineTemplate {
            level,
            format: self.format(),
            before: Rendered::new(&before[..head - closed]),
            after: Rendered::new(after),
            truncated: line.is_truncated(),
        }
    }

    /// Renders the end of messages, such as ` 200`, of at most 254 bytes. It is looked at for itself: a secret that begins in the template's
    /// message and ends here is not recognised.
    #[must_use]
    pub fn message_suffix(&self, text: &str) -> MessageSuffix {
        let mut line = self.blank();
        line.message_within(Value::Str(text), MAX_SUFFIX);
        let text = line.written_from(HEAD);
        let opened = usize::from(self.format() == LineFormat::Json);
        MessageSuffix {
            text: Rendered::new(&text[opened..]),
            truncated: line.is_truncated(),
        }
    }

    /// Renders fields that many lines share, such as `"status":200,"outcome":"ok"`.
    #[must_use]
    pub fn static_fields(&self, fields: impl FnOnce(&mut Fields<'_>)) -> StaticFields {
        let mut line = self.blank();
        fields(&mut Fields::new(&mut line));
        StaticFields {
            json: Rendered::new(line.written_from(HEAD)),
            truncated: line.is_truncated(),
        }
    }

    fn blank(&self) -> Line {
        let mut line = Line::new();
        line.reset(self.format());
        line.leave(HEAD);
        line
    }
}
