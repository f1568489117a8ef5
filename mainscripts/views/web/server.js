// Talks to the training's server.

// The token stays out of what people copy from the address. This tab keeps it, so that the page can
// be loaded again (see again.js); other tabs and other ports do not see it.
const token = new URLSearchParams(location.search).get("token");
sessionStorage.setItem("token", token);
history.replaceState(null, "", "/");

const SECONDS = 15;

export class Refused extends Error {}

async function answer(address, options = {}) {
  const headers = { ...options.headers, "X-FaceLab-Token": token };
  const response = await fetch(address, { ...options, headers, signal: AbortSignal.timeout(SECONDS * 1000) });
  if (!response.ok) throw new Refused(await response.text());
  return response;
}

export async function getState(heardOfEnd = false) {
  return (await answer(heardOfEnd ? "/api/state?heard_of_end=1" : "/api/state")).json();
}

export async function getCurves(last, columns) {
  return (await answer(`/api/curves?last=${last}&columns=${columns}`)).json();
}

export async function getPreview(name) {
  return (await answer(`/api/preview?name=${encodeURIComponent(name)}`)).blob();
}

// Gives the command's number; training has it once `commands_taken` is as large.
export async function sendCommand(command) {
  const response = await answer("/api/command", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ command }),
  });
  return (await response.json()).number;
}
