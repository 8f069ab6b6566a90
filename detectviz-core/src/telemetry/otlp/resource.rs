//! Who sends: the resource that all spans and metrics belong to.
use std::collections::BTreeMap;

/// Who sends: the service, its version, the instance, the environment, and whatever else is known.
///
/// By OpenTelemetry's names. `telemetry.sdk.name`, `.language` and `.version` are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    attributes: BTreeMap<String, String>,
}

// === impl Resource ===

impl Resource {
    /// The service of that name (`service.name`).
    #[must_use]
    pub fn new(service: impl Into<String>) -> Self {
        let attributes = [
            ("telemetry.sdk.name", "detectviz"),
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ];
        let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self {
            attributes: attributes.into(),
        }
        .attribute("service.name", service)
    }

    /// The version of the service (`service.version`).
    #[must_use]
    pub fn version(self, version: impl Into<String>) -> Self {
        self.attribute("service.version", version)
    }

    /// Which of several copies this is, such as the name of the pod (`service.instance.id`).
    #[must_use]
    pub fn instance(self, id: impl Into<String>) -> Self {
        self.attribute("service.instance.id", id)
    }

    /// Where it runs, such as `staging` (`deployment.environment.name`); nothing is said where that is empty.
    #[must_use]
    pub fn environment(self, name: impl Into<String>) -> Self {
        let name = name.into();
        if name.is_empty() {
            return self;
        }
        self.attribute("deployment.environment.name", name)
    }

    /// Any other attribute. The same key again replaces.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }

    /// More attributes, where the keys are not there yet.
    pub(super) fn or(mut self, more: &BTreeMap<String, String>) -> Self {
        for (key, value) in more {
            let place = self.attributes.entry(key.clone());
            place.or_insert_with(|| value.clone());
        }
        self
    }

    /// All attributes, by key.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_the_configuration_come_after_those_of_the_service() {
        let more = [("service.name", "other"), ("k8s.pod.name", "p-1")];
        let more = more.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let resource = Resource::new("orders").environment("").or(&more.into());
        let of = |key| resource.attributes().find(|(k, _)| *k == key);
        assert_eq!(of("service.name"), Some(("service.name", "orders")));
        assert_eq!(of("k8s.pod.name"), Some(("k8s.pod.name", "p-1")));
        assert_eq!(of("deployment.environment.name"), None);
    }
}
