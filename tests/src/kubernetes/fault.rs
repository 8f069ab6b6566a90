//! What a test may make go wrong.

/// How a request ends in place of its answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A `Status` object with this code: 429, 500, 503, 504.
    Status(u16),
    /// There is no answer.
    Hang,
    /// 200, and these bytes.
    Bytes(&'static str),
    /// 200, and bytes without an end of a line, for as long as anybody reads.
    Endless,
    /// The answer is announced whole, and cut after half of it.
    CutShort,
    /// This status with a page of HTML, as a proxy gives it.
    Page(u16),
}

/// A fault, and which requests it meets.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) verb: &'static str,
    pub(super) times: usize,
    pub(super) fault: Fault,
}

/// The fault of a request with `verb`, which uses it up.
pub(super) fn next(planned: &mut [Planned], verb: &str) -> Option<Fault> {
    let at = planned
        .iter()
        .position(|p| p.times > 0 && (p.verb == verb || p.verb == "*"))?;
    planned[at].times -= 1;
    Some(planned[at].fault.clone())
}
