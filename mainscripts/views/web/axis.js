// Axes, ticks and smoothing: the numbers behind the chart.

const known = numbers => numbers.filter(number => number !== null);

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

// The axis on which all series are seen; a few spikes do not flatten the curves.
export function valueAxis(series, wantsLog) {
  const highs = known(series.flatMap(one => one.high)).sort((a, b) => a - b);
  const lows = known(series.flatMap(one => one.low)).sort((a, b) => a - b);
  if (!highs.length) return axis(0, 1, false);
  const usual = quantile(highs, 0.98);
  if (wantsLog && lows[0] > 0) {
    const low = Math.max(lows[0], quantile(lows, 0.02) / 4) / 1.08;
    return axis(low, Math.max(Math.min(highs.at(-1), 4 * usual) * 1.08, low * 1.2), true);
  }
  const bottom = Math.min(0, lows[0]);
  const top = Math.min(highs.at(-1), 2 * usual);
  return axis(bottom, Math.max(top, bottom + 1e-9) * 1.05, false);
}

function axis(low, high, isLog) {
  const [a, b] = isLog ? [Math.log(low), Math.log(high)] : [low, high];
  const fraction = number => {
    const at = isLog ? Math.log(Math.max(number, low)) : number;
    return Math.min(Math.max((at - a) / (b - a), -0.02), 1.02);
  };
  return { low, high, isLog, fraction };
}

// Multiples of 1, 2 or 5 times a power of ten, at most about n.
export function linearTicks(low, high, n) {
  const least = (high - low) / Math.max(n, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  const unit = [1, 2, 5, 10].find(one => one * power >= least * 0.999);
  const step = unit * power;
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i <= high / step + 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

// Round numbers on a logarithmic axis, as many as there is room for.
export function logTicks(low, high, n) {
  let ticks = [];
  for (const steps of [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    ticks = [];
    for (let decade = Math.floor(Math.log10(low)); decade <= Math.log10(high); decade++) {
      for (const step of steps) ticks.push(Number((step * 10 ** decade).toPrecision(6)));
    }
    ticks = ticks.filter(tick => tick >= low && tick <= high);
    if (ticks.length <= n) break;
  }
  return ticks.length >= 2 ? ticks : linearTicks(low, high, n);
}

// Running mean that forgets: each step keeps `share` of what was before. Gaps stay gaps; the start
// is corrected for having no past (as Adam does it).
export function smoothed(values, share) {
  if (!share) return values;
  let mean = 0;
  let weight = 0;
  return values.map(number => {
    if (number === null) return null;
    mean = share * mean + (1 - share) * number;
    weight = share * weight + (1 - share);
    return mean / weight;
  });
}
