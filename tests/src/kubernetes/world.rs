//! What the cluster holds: objects with their versions, the past that a watch can ask for, and accounts.
use super::{
    access::{Account, Attributes, Rule},
    status,
};
use k8s_openapi::ByteString;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One change of one object.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) version: u64,
    pub(super) kind: &'static str,
    pub(super) object: Value,
}

/// Everything that etcd would hold.
#[derive(Debug)]
pub(super) struct World {
    /// Grows with every change of any object, as etcd's revision does.
    pub(super) version: u64,
    /// Nothing up to this version is known any more.
    pub(super) compacted: u64,
    pub(super) past: Vec<Past>,
    /// By token, or by certificate.
    pub(super) accounts: HashMap<Vec<u8>, Account>,
    objects: BTreeMap<(String, String), Value>,
    namespaces: BTreeSet<String>,
}

pub(super) type Answer = Result<Value, Value>;

// === impl World ===

impl World {
    pub(super) fn new() -> Self {
        Self {
            // Other objects of a cluster have moved it before.
            version: 1000,
            compacted: 0,
            past: Vec::new(),
            accounts: HashMap::new(),
            objects: BTreeMap::new(),
            namespaces: BTreeSet::from(["default".to_owned()]),
        }
    }

    /// Who a token or a certificate stands for; `None` for nobody.
    pub(super) fn account(&self, credential: Option<&[u8]>) -> Option<&Account> {
        let account = self.accounts.get(credential?)?;
        (!account.expired).then_some(account)
    }

    pub(super) fn allow(account: &Account, wanted: &Attributes<'_>) -> Result<(), Value> {
        if account.may(wanted) {
            return Ok(());
        }
        let Attributes {
            verb,
            namespace,
            name,
        } = wanted;
        Err(status::forbidden(&account.user, verb, namespace, name))
    }

    pub(super) fn set_rules(&mut self, token: &str, rules: &[Rule]) {
        if let Some(account) = self.accounts.get_mut(token.as_bytes()) {
            account.rules = rules.to_vec();
        }
    }

    pub(super) fn add_namespace(&mut self, name: &str) -> Answer {
        if !self.namespaces.insert(name.to_owned()) {
            return Err(status::conflict("AlreadyExists", name));
        }
        Ok(json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}}))
    }

    /// With all that is in it.
    pub(super) fn remove_namespace(&mut self, name: &str) -> Answer {
        if !self.namespaces.remove(name) {
            return Err(status::not_found("namespaces", name));
        }
        let inside: Vec<_> = self
            .objects
            .keys()
            .filter(|(of, _)| of == name)
            .cloned()
            .collect();
        for (namespace, object) in inside {
            let _removed = self.delete(&namespace, &object);
        }
        Ok(json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}}))
    }

    pub(super) fn get(&self, namespace: &str, name: &str) -> Answer {
        let found = self.objects.get(&(namespace.to_owned(), name.to_owned()));
        found
            .cloned()
            .ok_or_else(|| status::not_found("secrets", name))
    }

    /// All of a namespace, or the one with that name.
    pub(super) fn list(&self, namespace: &str, name: Option<&str>) -> Vec<Value> {
        let of = |(in_namespace, called): &&(String, String)| {
            in_namespace == namespace && name.is_none_or(|name| name == called)
        };
        self.objects
            .iter()
            .filter(|(key, _)| of(key))
            .map(|(_, object)| object.clone())
            .collect()
    }

    /// Creates the object, which must not be there.
    pub(super) fn create(&mut self, namespace: &str, mut object: Value) -> Answer {
        let name = object["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if !self.namespaces.contains(namespace) {
            return Err(status::not_found("namespaces", namespace));
        }
        if self.get(namespace, &name).is_ok() {
            return Err(status::conflict("AlreadyExists", &name));
        }
        object["metadata"]["uid"] = json!(format!("uid-{}", self.version + 1));
        object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        Ok(self.store("ADDED", namespace, &name, object))
    }

    /// Replaces the object; one that says which version it replaces must be right.
    pub(super) fn replace(&mut self, namespace: &str, name: &str, mut object: Value) -> Answer {
        let old = self.get(namespace, name)?;
        let of = &object["metadata"]["resourceVersion"];
        if of.is_string() && *of != old["metadata"]["resourceVersion"] {
            return Err(status::conflict("Conflict", name));
        }
        if old["immutable"] == true
            && (object["immutable"] != true || object["data"] != old["data"])
        {
            let message = format!(
                "Secret \"{name}\" is invalid: data: Forbidden: field is immutable when `immutable` is set"
            );
            return Err(status::failure(422, "Invalid", &message, None));
        }
        for kept in ["uid", "creationTimestamp"] {
            object["metadata"][kept] = old["metadata"][kept].clone();
        }
        Ok(self.store("MODIFIED", namespace, name, object))
    }

    pub(super) fn delete(&mut self, namespace: &str, name: &str) -> Answer {
        let key = (namespace.to_owned(), name.to_owned());
        let Some(mut object) = self.objects.remove(&key) else {
            return Err(status::not_found("secrets", name));
        };
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.past.push(Past {
            version: self.version,
            kind: "DELETED",
            object,
        });
        Ok(
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": {"name": name, "kind": "secrets"}}),
        )
    }

    pub(super) fn compact(&mut self) {
        // Something else in the cluster has moved the version on.
        self.version += 1;
        self.compacted = self.version;
        self.past.clear();
    }

    fn store(
        &mut self,
        kind: &'static str,
        namespace: &str,
        name: &str,
        mut object: Value,
    ) -> Value {
        self.version += 1;
        object["kind"] = json!("Secret");
        object["apiVersion"] = json!("v1");
        object["metadata"]["namespace"] = json!(namespace);
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if !object["type"].is_string() {
            object["type"] = json!("Opaque");
        }
        // stringData is merged into data, and never returned.
        let taken = object
            .as_object_mut()
            .and_then(|fields| fields.remove("stringData"));
        for (key, value) in taken.iter().filter_map(Value::as_object).flatten() {
            object["data"][key] = encoded(value.as_str().unwrap_or_default().as_bytes());
        }
        let key = (namespace.to_owned(), name.to_owned());
        self.objects.insert(key, object.clone());
        self.past.push(Past {
            version: self.version,
            kind,
            object: object.clone(),
        });
        object
    }
}

/// What metadata alone looks like.
pub(super) fn partial(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

/// Bytes as they stand in `data`.
pub(super) fn encoded(bytes: &[u8]) -> Value {
    serde_json::to_value(ByteString(bytes.to_vec())).unwrap_or_default()
}
