//! Configuration: two files, layers with origin, and every problem at once.
//!
//! `composition.yaml` says what is in the box, `app_config.yaml` how it is tuned. Each part of the latter is a [`Section`]:
//! plain data with a default that is safe in production. [`load`] lays the layers over each other (embedded files, the
//! directory, the profile, `DETECTVIZ__A__B` variables, `--set a.b=value`), [`Loaded::section`] hands out one section after
//! another, and [`Loaded::finish`] gives either every problem that there is or the list of all values in force.
//!
//! ```
//! use detectviz_core::config::{Checker, DurationText, Section, Sources, duration, load};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use std::time::Duration;
//!
//! #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields, default)]
//! struct ShopConfig {
//!     /// How long a visitor may stay.
//!     #[serde(with = "duration")]
//!     #[schemars(with = "DurationText", extend("x-reload" = "live"))]
//!     stay: Duration,
//!     /// How many may come in at once.
//!     seats: u16,
//! }
//!
//! impl Default for ShopConfig {
//!     fn default() -> Self {
//!         Self { stay: Duration::from_secs(60), seats: 10 }
//!     }
//! }
//!
//! impl Section for ShopConfig {
//!     fn validate(&self, check: &mut Checker<'_>) {
//!         if self.seats == 0 {
//!             check.problem("seats", "nobody can come in", "write at least 1");
//!         }
//!     }
//! }
//!
//! let sources = Sources::new().embedded_app("shop.yaml", "shop:\n  stay: 5m\n").set("shop.seats=20");
//! let mut loaded = load(&sources).expect("the files are YAML");
//! let shop: ShopConfig = loaded.section("shop");
//! let effective = loaded.finish().expect("the values are right");
//! assert_eq!((shop.stay, shop.seats), (Duration::from_secs(300), 20));
//! assert_eq!(effective.find("shop.stay").expect("listed").place.to_string(), "embedded shop.yaml:2");
//!
//! let mut loaded = load(&sources.set("shop.seats=0").set("shop.sty=1m")).expect("the files are YAML");
//! let _: ShopConfig = loaded.section("shop");
//! assert_eq!(
//!     loaded.finish().expect_err("two things are wrong").to_string(),
//!     "--set shop.seats: shop.seats: nobody can come in; write at least 1\n\
//!      --set shop.sty: shop.sty: the key `sty` is unknown; did you mean `stay`?"
//! );
//! ```
//!
//! # Strictness
//! A key that a type does not know is refused, also where the type forgot `deny_unknown_fields`. `${secret:…}` is taken
//! where the type is a [`SecretRef`](crate::secret::SecretRef) and refused everywhere else, and so is every other `${…}`.
//! Of YAML it takes what JSON can say: no anchors, aliases, tags or merge keys. Text from a shell needs no quotes.
//!
//! # Reload
//! [`FileWatch`] tells when a file changes. Load again, and keep the running configuration where that fails;
//! [`Effective::changes`] tells what is new, and [`live_update`] gives the section with its live keys changed only.
mod path;
mod place;
mod problem;
mod suggest;
mod redact;
mod node;
mod yaml;
mod merge;
mod overlay;
mod shape;
mod fault;
mod de;
mod section;
mod composition;
mod effective;
mod schema;
mod loaded;
mod source;
mod sources;
mod watch;
#[cfg(test)]
mod tests;
mod units;
pub mod optional_duration;

pub use self::{
    composition::ComponentEntry,
    effective::{Changes, Effective, EffectiveValue, Reload, live_update},
    loaded::Loaded,
    place::{Origin, Place},
    problem::{Problem, Problems},
    schema::{SchemaBuilder, schema_of},
    section::{Checker, Section, check},
    source::environment,
    sources::{PROFILES, Sources, load},
    suggest::nearest,
    units::{ByteSize, DurationText, InvalidUnit, duration, parse_duration, show_duration},
    watch::FileWatch,
};
