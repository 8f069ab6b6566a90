//! What a store says of its own accord.
use detectviz_core::secret::SecretRef;
use tokio::sync::mpsc;

/// How a store tells its keeper that something has changed. Without a keeper, nobody hears it.
///
/// # Clone
/// Clones tell the same keeper.
#[derive(Clone, Debug)]
pub struct StoreEvents(mpsc::UnboundedSender<StoreEvent>);

/// Something has changed in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreEvent {
    /// The secret behind this reference may have.
    Changed(SecretRef),
    /// There was a new login, of this number.
    Session(u64),
}

// === impl StoreEvents ===

impl StoreEvents {
    /// A pair: what is told, and where it arrives. The keeper makes its own; this is for the tests of a store.
    #[must_use]
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<StoreEvent>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// The secret behind `reference` may have changed: it is fetched, if anybody uses it.
    pub fn changed(&self, reference: &SecretRef) {
        let _ = self.0.send(StoreEvent::Changed(reference.bundle()));
    }

    /// There was a new login, whose number is `session`. Leases of lower numbers have ended with their login, or will
    /// soon: each is replaced by a new one at once. What belongs to the number 0 belongs to no login.
    pub fn session(&self, session: u64) {
        let _ = self.0.send(StoreEvent::Session(session));
    }
}
