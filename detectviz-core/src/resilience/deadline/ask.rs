//! Where a request says how long its caller waits.
use super::Asked;

/// Finds in a request what its caller asks for. Closures do.
pub trait AskTimeout<Req> {
    /// What the caller of `request` asks for.
    fn asked(&self, request: &Req) -> Asked;
}

/// No request says anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NotAsked;

impl<Req> AskTimeout<Req> for NotAsked {
    fn asked(&self, _: &Req) -> Asked {
        Asked::Nothing
    }
}

impl<F, Req> AskTimeout<Req> for F
where
    F: Fn(&Req) -> Asked,
{
    fn asked(&self, request: &Req) -> Asked {
        self(request)
    }
}
