use super::*;

#[test]
fn lg4_secret_names_are_known_and_harmless_ones_are_left() {
    for key in [
        "password",
        "PASSWORD",
        "db.password",
        "db_password_old",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "client_secret",
        "secrets",
        "token",
        "tokens",
        "access_token",
        "accessToken",
        "refreshToken",
        "x-auth-token",
        "token_value",
        "csrf.token",
        "authorization",
        "Authorization",
        "proxy-authorization",
        "cookie",
        "Cookie",
        "set-cookie",
        "cookies",
        "api_key",
        "apiKey",
        "X-Api-Key",
        "aws_access_key_id",
        "private_key",
        "privateKey",
        "credentials",
        "X-Amz-Signature",
        "sig",
        "X-Amz-Credential",
    ] {
        assert!(is_secret_key(key), "{key}");
    }
    for key in [
        "",
        "p",
        "user",
        "path",
        "http.route",
        "tokenizer",
        "token_count",
        "tokenCount",
        "token_type",
        "secret_name",
        "password_length",
        "cookie_count",
        "key",
        "keyboard",
        "author",
        "signal",
        "design",
        "author_id",
        "status",
        "basic",
        "pass",
        "compass",
        "secret.version",
    ] {
        assert!(!is_secret_key(key), "{key}");
    }
}

#[test]
fn lg4_secrets_inside_a_text_are_masked() {
    for (text, expected) in [
        (
            "postgres://app:hunter2@db:5432/shop",
            "postgres://[redacted]@db:5432/shop",
        ),
        (
            "redis://:hunter2@cache/0 and http://u:p@h",
            "redis://[redacted]@cache/0 and http://[redacted]@h",
        ),
        ("amqp://u:hun/ter2@mq/x", "amqp://[redacted]@mq/x"),
        ("amqp://u:hun@ter2@mq/x", "amqp://[redacted]@mq/x"),
        (
            "https://ghp_abc@github.com/x",
            "https://[redacted]@github.com/x",
        ),
        ("GET /x?token=abc&b=1", "GET /x?token=[redacted]&b=1"),
        (
            "GET /x?a=1&api_key=abc#top",
            "GET /x?a=1&api_key=[redacted]#top",
        ),
        (
            "s3?X-Amz-Signature=00ff&x=1",
            "s3?X-Amz-Signature=[redacted]&x=1",
        ),
        (
            "host=db user=app password=hunter2 dbname=x",
            "host=db user=app password=[redacted] dbname=x",
        ),
        ("password = 'hun ter2', x", "password = '[redacted]', x"),
        (
            "Server=x;Password=hunter2;",
            "Server=x;Password=[redacted];",
        ),
        (
            "sent Bearer abc.def-g_h to x",
            "sent Bearer [redacted] to x",
        ),
        ("basic dXNlcjpwdw==", "basic [redacted]"),
        ("Authorization: Bearer abc", "Authorization: [redacted]"),
        ("authorization=Bearer abc x", "authorization=[redacted]"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: [redacted]\nHost: x"),
        ("x-auth-token=Bearer abc x", "x-auth-token=[redacted] x"),
        (
            r#"{"password":"hunter2","a":1}"#,
            r#"{"password":"[redacted]","a":1}"#,
        ),
        (
            r#"{"password": 1234, "a":1}"#,
            r#"{"password": [redacted], "a":1}"#,
        ),
        (
            r#"Db { user: "app", password: "hun\"ter2" }"#,
            r#"Db { user: "app", password: "[redacted]" }"#,
        ),
        (
            r#"Db { password: Some("hunter2") }"#,
            r#"Db { password: Some("[redacted]") }"#,
        ),
        (
            r#""{\"password\":\"hunter2\"}""#,
            r#""{\"password\":\"[redacted]\"}""#,
        ),
        (
            r#"{"set-cookie": "a=b; Path=/"}"#,
            r#"{"set-cookie": "[redacted]"}"#,
        ),
        ("token=", "token="),
        ("password=ä漢", "password=[redacted]"),
        ("password=\"never closed", "password=\"[redacted]"),
    ] {
        let mut scratch = String::new();
        assert_eq!(masked(text, false, &mut scratch), expected, "{text}");
    }
}

#[test]
fn plain_text_is_given_back_as_it_is() {
    for text in [
        "",
        "listening on 127.0.0.1:8080",
        "http://host:8080/a@b",
        "https://example.com/@user",
        "https://example.com:443",
        "invalid token: expected `}`",
        "token_count=5 a=b",
        "Basic auth required",
        "the bearer token, missing",
        "token == other, secret => 1",
        "secret::value and cookie::jar",
        "= : :// ://@ Bearer",
    ] {
        let mut scratch = "old".to_owned();
        assert_eq!(masked(text, false, &mut scratch), text);
    }
}

#[test]
fn lg4_a_user_part_that_was_cut_is_masked() {
    let mut scratch = String::new();
    assert_eq!(
        masked("x postgres://app:hunt", true, &mut scratch),
        "x postgres://[redacted]"
    );
    assert_eq!(
        masked("see http://host/a", true, &mut scratch),
        "see http://host/a"
    );
}

proptest::proptest! {
    #[test]
    fn any_text_is_survived(text in "(?s)([:=@ \"'/\\\\]|password|://|Bearer |.){0,40}", cut: bool) {
        let mut scratch = String::new();
        masked(&text, cut, &mut scratch);
        is_secret_key(&text);
    }
}
