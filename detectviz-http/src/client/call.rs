//! One call, in memory that is used again.
use super::{Body, service::Shared, state::State};
use detectviz_core::spare::Spare;
use http::Request;
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

pub(super) use super::span::port;

/// How many states of calls a thread keeps for later; more calls under way than that allocate.
const SPARE: usize = 1024;

thread_local! {
    static UNUSED: Spare<Box<State>> = const { Spare::new(SPARE) };
}

/// One call, from its start to the end of the response's body. Dropped before that, it was given up.
pub(super) struct Call {
    /// There until it is dropped.
    state: Option<Box<State>>,
}

pub(super) const THERE: &str = "there until it is dropped";

// === impl Call ===

impl Call {
    #[inline]
    pub(super) fn new(shared: &Arc<Shared>, request: Request<Body>) -> Self {
        let mut state = Spare::take(&UNUSED).unwrap_or_else(|| Box::new(State::new()));
        state.open(shared, request);
        Self { state: Some(state) }
    }
}

impl Deref for Call {
    type Target = State;

    fn deref(&self) -> &State {
        self.state.as_deref().expect(THERE)
    }
}

impl DerefMut for Call {
    fn deref_mut(&mut self) -> &mut State {
        self.state.as_deref_mut().expect(THERE)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some(mut state) = self.state.take() else {
            return;
        };
        state.close();
        // A panic has taken what the next call needs.
        if state.is_whole() {
            Spare::give(&UNUSED, state);
        }
    }
}
