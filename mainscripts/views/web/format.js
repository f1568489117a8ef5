// Numbers and times as people read them.

const GROUPED = new Intl.NumberFormat("en");

export function count(number) {
  return GROUPED.format(number);
}

// Four digits that count; very small and very large ones with a power of ten.
export function value(number) {
  if (number === null || number === undefined || !Number.isFinite(number)) return "–";
  if (number === 0) return "0";
  const size = Math.abs(number);
  if (size >= 1e5 || size < 1e-4) return number.toExponential(2);
  return String(Number(number.toPrecision(4)));
}

export function loss(number) {
  if (number === null || number === undefined) return "not finite";
  return Math.abs(number) < 1e-3 ? value(number) : number.toFixed(4);
}

export function rate(number, unit) {
  if (!(number > 0)) return "–";
  const digits = number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return `${number.toFixed(digits)} ${unit}`;
}

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

// The two largest units: "2 d 5 h", "14 min 3 s".
export function duration(seconds) {
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [unit, size] of UNITS) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n || parts.length || unit === "s") parts.push(n ? `${n} ${unit}` : "");
    if (parts.length === 2) break;
  }
  return parts.filter(Boolean).join(" ") || "0 s";
}

export function ago(seconds) {
  if (seconds < 5) return "just now";
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? UNITS.at(-1);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

export function megabytes(number) {
  if (number === null || number === undefined) return "–";
  return number >= 1024 ? `${(number / 1024).toFixed(1)} GB` : `${Math.round(number)} MB`;
}

// 12.5k, 1.2M: for ticks.
export function short(number) {
  const size = Math.abs(number);
  if (size >= 1e6) return `${Number((number / 1e6).toPrecision(4))}M`;
  if (size >= 1e4) return `${Number((number / 1e3).toPrecision(4))}k`;
  return count(number);
}
