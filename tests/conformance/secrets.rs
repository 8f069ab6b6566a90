//! The body: what a service relies on, whatever the store.
use async_trait::async_trait;
use detectviz_core::{
    health::Check,
    secret::{SecretBundle, SecretError, SecretErrorKind, SecretRef, SecretWatch, SecretsProvider},
};
use detectviz_secrets::keeper::{CacheConfig, Keeper};
use futures_util::future::join_all;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// The password of `app` at the start; as every value of it, it holds the canary.
pub(crate) const FIRST: &str = "canary-password-0";

/// What no output may hold.
const CANARY: &str = "canary-";

/// How long a change may take to be seen, with what [`quick`] sets.
const SEEN: Duration = Duration::from_secs(5);

/// A store, and a keeper before it.
#[async_trait]
pub(crate) trait Place: Send + Sync {
    fn keeper(&self) -> &Keeper;

    fn reference(&self, name: &str, field: Option<&str>) -> SecretRef;

    /// Whether a secret has several fields.
    fn has_fields(&self) -> bool {
        true
    }

    /// Whether an empty value can be written at all.
    fn takes_empty(&self) -> bool {
        true
    }

    /// Writes a secret, in place of what there was. `false` where nothing can be written: `app`, `other` and `empty` are there
    /// from the start.
    async fn put(&self, name: &str, fields: &[(&str, &str)]) -> bool;

    /// Deletes a secret; `false` where that cannot be.
    async fn delete(&self, _name: &str) -> bool {
        false
    }

    /// Takes away, or gives back, the permission to read; `false` where there is none.
    async fn deny(&self, _denied: bool) -> bool {
        false
    }

    /// Makes the store go away, or come back; `false` where it cannot.
    async fn away(&self, _away: bool) -> bool {
        false
    }
}

/// Refreshes several times a second, so that a change is seen soon in a store that does not tell.
pub(crate) fn quick() -> CacheConfig {
    CacheConfig::default()
        .refresh(Duration::from_millis(300), Duration::ZERO)
        .timeout(Duration::from_secs(2))
}

/// Runs the body.
pub(crate) async fn conform(place: &dyn Place) {
    let mut body = Body {
        place,
        printed: String::new(),
        rotates: place.put("app", &pair(0)).await,
    };
    if body.rotates {
        place.put("other", &[("password", "unrelated")]).await;
        if place.takes_empty() {
            place.put("empty", &[("password", "")]).await;
        }
    }
    body.values().await;
    body.mistakes().await;
    if body.rotates {
        body.rotations().await;
        body.refreshed().await;
        body.denied().await;
        body.away().await;
        body.deleted().await;
    }
    body.end().await;
}

struct Body<'a> {
    place: &'a dyn Place,
    /// Every error and every `Debug` output.
    printed: String,
    rotates: bool,
}

impl Body<'_> {
    fn password(&self, name: &str) -> SecretRef {
        let field = self.place.has_fields().then_some("password");
        self.place.reference(name, field)
    }

    async fn get(&mut self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        let answer = self.place.keeper().get(reference).await;
        self.printed += &format!("{answer:?}\n");
        answer
    }

    async fn refused(&mut self, reference: &SecretRef, kind: SecretErrorKind) -> String {
        let err = self.get(reference).await.unwrap_err();
        self.wrong(&err, reference, kind)
    }

    /// After the second in which the last answer is repeated.
    async fn refresh(&mut self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        sleep(Duration::from_millis(1100)).await;
        let answer = self.place.keeper().refresh(reference).await;
        self.printed += &format!("{answer:?}\n");
        answer
    }

    fn wrong(&mut self, err: &SecretError, reference: &SecretRef, kind: SecretErrorKind) -> String {
        let mut text = err.to_string();
        assert_eq!(err.kind(), kind, "{text}");
        assert!(text.contains(&reference.to_string()), "{text}");
        let mut cause = std::error::Error::source(err);
        while let Some(err) = cause {
            text += &format!(": {err}");
            cause = err.source();
        }
        self.printed += &format!("{text}\n{err:?}\n{err:#?}\n");
        text
    }

    async fn values(&mut self) {
        let password = self.password("app");
        let bundle = self.get(&password).await.unwrap();
        assert_eq!(bundle.value(&password).unwrap().expose(), FIRST.as_bytes());
        assert_eq!(bundle.version().sequence, 1);
        let many = (0..1000).map(|_| self.place.keeper().get(&password));
        for answer in join_all(many).await {
            assert!(answer.unwrap().same_fields(&bundle));
        }
        if self.place.has_fields() {
            let user = self.place.reference("app", Some("user"));
            assert_eq!(bundle.value(&user).unwrap().expose(), b"user-0");
        }
    }

    async fn mistakes(&mut self) {
        let missing = self.password("missing");
        self.refused(&missing, SecretErrorKind::NotFound).await;
        if self.place.takes_empty() {
            let empty = self.password("empty");
            let answer = self.place.keeper().get(&empty).await;
            let answer = answer.and_then(|bundle| bundle.value(&empty).cloned());
            self.wrong(&answer.unwrap_err(), &empty, SecretErrorKind::Empty);
        }
        let field = self.place.reference("app", Some("passwort"));
        if self.place.has_fields() {
            let said = self.refused(&field, SecretErrorKind::NotFound).await;
            assert!(said.contains("password"), "the fields are listed: {said}");
        }
    }

    async fn rotations(&mut self) {
        let (password, user) = (
            self.password("app"),
            self.place.reference("app", Some("user")),
        );
        let mut watch = self.place.keeper().watch(&password).await.unwrap();
        let other = self.password("other");
        let mut unrelated = self.place.keeper().watch(&other).await.unwrap();
        let mut version = watch.latest().version().sequence;
        for round in 1..=20 {
            assert!(self.place.put("app", &pair(round)).await);
            let expected = format!("canary-password-{round}");
            loop {
                let next = changed(&mut watch, round).await;
                assert!(next.version().sequence > version, "it went back");
                version = next.version().sequence;
                let value = next
                    .value(&password)
                    .unwrap()
                    .expose_str()
                    .unwrap()
                    .to_owned();
                let number = value.rsplit('-').next().unwrap();
                let matching = format!("user-{number}");
                assert_eq!(next.value(&user).unwrap().expose(), matching.as_bytes());
                if value == expected {
                    break;
                }
            }
        }
        assert!(timeout(Duration::ZERO, unrelated.changed()).await.is_err());
        self.printed += &format!(
            "{watch:?}{:?}{}",
            self.place.keeper(),
            self.place.keeper().view()
        );
    }

    async fn refreshed(&mut self) {
        let password = self.password("app");
        self.refresh(&password).await.unwrap();
        sleep(Duration::from_millis(1100)).await;
        self.place.put("app", &pair(21)).await;
        let begun = Instant::now();
        loop {
            let bundle = self.place.keeper().refresh(&password).await.unwrap();
            if bundle.value(&password).unwrap().expose() == b"canary-password-21" {
                break;
            }
            assert!(
                begun.elapsed() < SEEN,
                "a refresh sees what was written before it"
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn denied(&mut self) {
        if !self.place.deny(true).await {
            return;
        }
        let password = self.password("app");
        let err = self.refresh(&password).await.unwrap_err();
        self.wrong(&err, &password, SecretErrorKind::Denied);
        self.get(&password)
            .await
            .expect("the last good value is served");
        assert!(self.place.deny(false).await);
        self.recovers(&password).await;
    }

    async fn away(&mut self) {
        if !self.place.away(true).await {
            return;
        }
        let password = self.password("app");
        let err = self.refresh(&password).await.unwrap_err();
        self.wrong(&err, &password, SecretErrorKind::Unavailable);
        self.get(&password)
            .await
            .expect("the last good value is served");
        let new = self.password("never-had");
        self.refused(&new, SecretErrorKind::Unavailable).await;
        let failed = self.place.keeper().check().await.unwrap_err();
        self.printed += &format!("{failed}");
        assert!(self.place.away(false).await);
        self.recovers(&password).await;
        assert!(self.place.keeper().check().await.is_ok());
    }

    async fn recovers(&mut self, reference: &SecretRef) {
        let begun = Instant::now();
        while let Err(err) = self.refresh(reference).await {
            assert!(begun.elapsed() < Duration::from_secs(20), "{err}");
        }
    }

    async fn deleted(&mut self) {
        let password = self.password("app");
        if !self.place.delete("app").await {
            return;
        }
        let begun = Instant::now();
        let err = loop {
            match self.refresh(&password).await {
                Err(err) => break err,
                Ok(_) => assert!(begun.elapsed() < SEEN),
            }
        };
        self.wrong(&err, &password, SecretErrorKind::NotFound);
        let kept = self
            .get(&password)
            .await
            .expect("the last good value is served");
        let kept = kept.value(&password).unwrap().expose().to_vec();
        assert_eq!(kept, b"canary-password-21");
    }

    async fn end(mut self) {
        let other = self.password("other");
        let mut watch = self.place.keeper().watch(&other).await.unwrap();
        self.place.keeper().close().await;
        let last = timeout(SEEN, watch.changed()).await.unwrap();
        assert!(last.is_none(), "no other value comes");
        self.refused(&other, SecretErrorKind::Unavailable).await;
        assert!(!self.printed.contains(CANARY), "{}", self.printed);
    }
}

async fn changed(watch: &mut SecretWatch, round: u32) -> SecretBundle {
    let next = timeout(SEEN, watch.changed()).await;
    next.unwrap_or_else(|_| panic!("rotation {round} is not seen"))
        .expect("the keeper runs")
}

/// A user and a password that belong together.
fn pair(round: u32) -> [(&'static str, &'static str); 2] {
    // Leaked: a few words of a test.
    let leak = |text: String| -> &'static str { text.leak() };
    [
        ("user", leak(format!("user-{round}"))),
        ("password", leak(format!("canary-password-{round}"))),
    ]
}
