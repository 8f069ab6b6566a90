//! Who may do what: RBAC, as <https://kubernetes.io/docs/reference/access-authn-authz/rbac/> says.

/// What an account may do with Secrets.
#[derive(Clone, Debug)]
pub struct Rule {
    namespace: String,
    verbs: Vec<String>,
    names: Vec<String>,
}

/// Who a token stands for.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) rules: Vec<Rule>,
    pub(super) expired: bool,
}

/// What somebody wants.
#[derive(Clone, Debug)]
pub(super) struct Attributes<'a> {
    pub(super) verb: &'a str,
    pub(super) namespace: &'a str,
    /// The name in the path, or for a list or a watch the one that the field selector `metadata.name=…` asks for; empty
    /// otherwise (`k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`).
    pub(super) name: &'a str,
}

// === impl Rule ===

impl Rule {
    /// Lets an account do `verbs` with the Secrets `names` of a namespace; `*` stands for all, and no names for all.
    #[must_use]
    pub fn new(namespace: &str, verbs: &[&str], names: &[&str]) -> Self {
        let owned = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        Self {
            namespace: namespace.to_owned(),
            verbs: owned(verbs),
            names: owned(names),
        }
    }

    fn allows(&self, wanted: &Attributes<'_>) -> bool {
        let in_namespace = self.namespace == "*" || self.namespace == wanted.namespace;
        let verb = self.verbs.iter().any(|v| v == "*" || v == wanted.verb);
        let named = self.names.is_empty() || self.names.iter().any(|name| name == wanted.name);
        in_namespace && verb && named
    }
}

// === impl Account ===

impl Account {
    pub(super) fn may(&self, wanted: &Attributes<'_>) -> bool {
        self.rules.iter().any(|rule| rule.allows(wanted))
    }
}
