//! Why a release ended as it did, on one page: as JSON, as text for a terminal, and as HTML.

mod chart;
mod course;
mod html;
mod numbers;
#[cfg(test)]
mod tests;
mod text;
mod textplot;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::control_plane::controller::{ContainerEvidence, EventView, Exhibits, ReleaseView};
use crate::judge::Series;
use crate::model::ReleaseId;

use super::events;
use super::negotiate::wants_html;
use super::path::PathOf;
use super::problem::Problem;
use super::releases;
use super::shared::Shared;

/// The largest number of events that are shown. A release has a few dozen.
const EVENTS_MAX: usize = 2000;
const PAGE: usize = 500;

/// Everything that is known of a release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    pub release: ReleaseView,
    /// Oldest first.
    pub events: Vec<EventView>,
    /// The judge's numbers; empty before a bake.
    #[schema(value_type = Object)]
    pub numbers: serde_json::Map<String, serde_json::Value>,
    /// What the judge saw, point by point, column by column; null where there was nothing to see.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub series: Option<Series>,
    /// What its containers said before they were stopped.
    #[serde(default)]
    pub evidence: Vec<ContainerEvidence>,
    /// The same for a person to read: timeline, numbers, verdict and cause.
    pub text: String,
}

impl Explanation {
    pub(super) fn new(release: ReleaseView, events: Vec<EventView>, exhibits: Exhibits) -> Self {
        let Exhibits { series, containers } = exhibits;
        let text = text::page(&release, &events, series.as_ref(), &containers);
        Self { numbers: release.numbers.clone(), release, events, series, evidence: containers, text }
    }
}

/// Why a release ended as it did
///
/// JSON, or a page for a browser (`Accept: text/html`).
#[utoipa::path(
    get, path = "/v1/releases/{id}/explain", tag = "releases", operation_id = "explain",
    params(("id" = String, Path, description = "The release's id, `<service>-<number>`")),
    responses((status = 200, description = "The story, the numbers, the verdict", content(
        (Explanation = "application/json"),
        (String = "text/html"),
    ))),
)]
pub(super) async fn explain(
    State(shared): State<Shared>,
    PathOf(id): PathOf<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let release = releases::find(&shared, &id).await?;
    let id = ReleaseId::new(id);
    let events = story(&shared, &id).await?;
    let exhibits = Exhibits::read(&*shared.store, &id).await?;
    let explanation = Explanation::new(release, events, exhibits);
    let mut response =
        if wants_html(&headers) { html::response(&explanation) } else { Json(explanation).into_response() };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

async fn story(shared: &Shared, id: &ReleaseId) -> Result<Vec<EventView>, Problem> {
    let mut found = Vec::new();
    let mut after = 0;
    while found.len() < EVENTS_MAX {
        let page = shared.store.events(id, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        found.extend(page.iter().filter_map(events::view));
        if page.len() < PAGE {
            break;
        }
    }
    Ok(found)
}
