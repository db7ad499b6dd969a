//! The OpenAPI document, made from the handlers. Facts that hold for every operation are added here once,
//! so that none of them can be missing. They are the required token, the possible problems, and the headers
//! that a change takes.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Required, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::control_plane::controller::RefusalCode;

use super::Problem;
use super::caller::ACTOR_HEADER;
use super::events::LAST_MAX;

/// Paths that need no token.
pub(crate) const OPEN_PATHS: [&str; 2] = ["/healthz", "/readyz"];
const TOKEN_SCHEME: &str = "token";

/// The document that the handlers add to.
pub(crate) fn base() -> OpenApi {
    let info = InfoBuilder::new()
        .title("greenlight admin API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Releases, and the front door that carries them. Colors are `blue` and `green`; times are RFC 3339; \
             every fault is a problem document (RFC 9457).",
        ))
        .build();
    let components = ComponentsBuilder::new()
        .schema(Problem::name(), Problem::schema())
        .schema(RefusalCode::name(), RefusalCode::schema())
        .build();
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

/// `GET /openapi.json`
pub(crate) fn response(document: &str) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document.to_owned()).into_response()
}

/// Adds the parts that all operations have in common. `token` says whether a token is required.
pub(crate) fn finish(doc: &mut OpenApi, token: bool) {
    if token {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        doc.components.get_or_insert_default().add_security_scheme(TOKEN_SCHEME, scheme);
    }
    for (path, item) in &mut doc.paths.paths {
        if OPEN_PATHS.contains(&path.as_str()) {
            continue;
        }
        for (method, operation) in operations(item) {
            if token {
                let requirement = SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN_SCHEME, []);
                operation.security = Some(vec![requirement]);
            }
            describe(path, &method, operation);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let all = [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Put, item.put.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation?)))
}

fn describe(path: &str, method: &HttpMethod, operation: &mut Operation) {
    problem(operation, "400", "The request makes no sense, or is not what this path takes");
    problem(operation, "401", "The token is missing or is not the right one");
    problem(operation, "403", "Without a token: the Host or Origin is not this machine's");
    problem(operation, "503", "The controller or the store can't answer at the moment");
    if path.contains('{') {
        problem(operation, "404", "There is no such service, release or version");
    }
    if path.ends_with("/events") {
        add(operation, last_event_id());
    }
    if matches!(method, HttpMethod::Get) {
        return;
    }
    problem(operation, "413", "The body has more than 64 KiB");
    problem(operation, "415", "The body is not JSON");
    let unprocessable = if path == "/v1/reload" {
        "The file has faults (`faults` lists them), or the Idempotency-Key was used for another request"
    } else {
        "The Idempotency-Key was used for another request"
    };
    problem(operation, "422", unprocessable);
    add(operation, IDEMPOTENCY_KEY.parameter());
    add(operation, ACTOR.parameter());
    if path.contains('{') {
        problem(
            operation,
            "409",
            "Not possible in this state: `code` names the reason, `detail` says what would help",
        );
        problem(operation, "412", "The service has another epoch or revision than If-Match says");
        add(operation, IF_MATCH.parameter());
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.required = Some(Required::False);
    }
}

fn problem(operation: &mut Operation, status: &str, description: &str) {
    let schema = RefOr::Ref(Ref::from_schema_name(Problem::name()));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response =
        ResponseBuilder::new().description(description).content("application/problem+json", content).build();
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
}

fn add(operation: &mut Operation, parameter: Parameter) {
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}

/// A request header whose value is a text.
struct Header {
    name: &'static str,
    pattern: &'static str,
    example: &'static str,
    description: &'static str,
}

const IDEMPOTENCY_KEY: Header = Header {
    name: "Idempotency-Key",
    pattern: "^[!-~]{1,255}$",
    example: "8e03978e-40d5-43dd-bc93-6894a57f9324",
    description: "A change that is sent again under the same key within 24 h is made once",
};
const ACTOR: Header = Header {
    name: ACTOR_HEADER,
    pattern: "^[!-~]([ -~]{0,62}[!-~])?$",
    example: "ci",
    description: "Who asks, for the audit log",
};
const IF_MATCH: Header = Header {
    name: "If-Match",
    pattern: r#"^(\*|"r?[0-9]{1,18}")$"#,
    example: "\"7\"",
    description: "Only if the service is at this `\"<epoch>\"` or `\"r<revision>\"`",
};

impl Header {
    fn parameter(&self) -> Parameter {
        let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(self.pattern)).build();
        let builder = ParameterBuilder::new().name(self.name).parameter_in(ParameterIn::Header);
        let builder = builder.required(Required::False).description(Some(self.description));
        builder.schema(Some(schema)).example(Some(self.example.into())).build()
    }
}

/// The parameter `Last-Event-ID` (WHATWG HTML section 9.2.4).
fn last_event_id() -> Parameter {
    let schema =
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(LAST_MAX)).build();
    let builder = ParameterBuilder::new().name("Last-Event-ID").parameter_in(ParameterIn::Header);
    let builder = builder.required(Required::False).description(Some("The last event that was received"));
    builder.schema(Some(schema)).build()
}
