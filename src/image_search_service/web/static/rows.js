// Lays photos out in justified rows by day. Pure: widths in, places out, in pixels.

/** A photo's width for a height of one; 4:3 where the size is not known. */
export const ratio = (photo) => (photo.width && photo.height ? Math.min(4, Math.max(0.4, photo.width / photo.height)) : 4 / 3);
const ratios = (photos) => photos.reduce((sum, photo) => sum + ratio(photo), 0);

/** Photos by day, in their order: [{day, photos, at}], `at` being the place of the first one. */
export const byDay = (photos) => {
  const days = [];
  photos.forEach((photo, at) => {
    const day = photo?.taken_at?.slice(0, 10) ?? null;
    if (days.at(-1)?.day === day) days.at(-1).photos.push(photo); else days.push({ day, photos: [photo], at });
  });
  return days;
};

/** Rows of one day that is wider than the page: each filled, the last one no higher than wanted. */
const fold = (photos, width, wanted, gap) => {
  const rows = [];
  let row = [];
  const fit = (line) => (width - gap * (line.length - 1)) / ratios(line);
  for (const photo of photos) {
    if (row.length && fit([...row, photo]) < wanted * 0.78) { rows.push(row); row = [photo]; } else row.push(photo);
  }
  rows.push(row);
  return rows.map((line, at) => ({ photos: line, height: at === rows.length - 1 ? Math.min(fit(line), wanted * 1.25) : fit(line) }));
};

/**
 * Places of photos and headings. Short days share a line.
 * @param {any[]} photos of one stretch, in order
 * @param {{width: number, row: number, gap?: number, between?: number, heading?: number}} page row: the height that is wanted
 * @returns {{height: number, boxes: {at: number, x: number, y: number, width: number, height: number}[],
 *   headings: {day: string | null, at: number, count: number, x: number, y: number, width: number}[]}}
 */
export const layOut = (photos, { width, row, gap = 6, between = 16, heading = 36 }) => {
  const boxes = [];
  const headings = [];
  let y = 0;
  const put = (line, at, x, top, height) => {
    for (const photo of line) { const wide = ratio(photo) * height; boxes.push({ at, x, y: top, width: wide, height }); x += wide + gap; at += 1; }
    return x - gap;
  };
  const natural = (day) => Math.max(ratios(day.photos) * row + gap * (day.photos.length - 1), Math.min(width, 150));
  const flush = (line) => {
    if (!line.length) return;
    const gaps = line.reduce((sum, day) => sum + gap * (day.photos.length - 1), 0) + between * (line.length - 1);
    const height = Math.min(row * 1.25, (width - gaps) / line.reduce((sum, day) => sum + ratios(day.photos), 0));
    let x = 0;
    for (const day of line) {
      const end = put(day.photos, day.at, x, y + heading, height);
      headings.push({ day: day.day, at: day.at, count: day.photos.length, x, y, width: Math.max(end - x, 60) });
      x = end + between;
    }
    y += heading + height + between;
  };
  let line = [];
  let used = 0;
  for (const day of byDay(photos)) {
    const wide = natural(day);
    if (wide > width) {
      flush(line);
      line = []; used = 0;
      headings.push({ day: day.day, at: day.at, count: day.photos.length, x: 0, y, width });
      y += heading;
      let at = day.at;
      for (const { photos: folded, height } of fold(day.photos, width, row, gap)) { put(folded, at, 0, y, height); at += folded.length; y += height + gap; }
      y += between - gap;
    } else {
      if (line.length && used + between + wide > width) { flush(line); line = []; used = 0; }
      used += (line.length ? between : 0) + wide;
      line.push(day);
    }
  }
  flush(line);
  return { height: y, boxes, headings };
};

/** The height that so many photos are likely to take before they are known. */
export const guess = (count, { width, row, gap = 6, heading = 36 }) => Math.ceil((count * (row * 1.4 + gap)) / Math.max(1, width)) * (row + gap) + heading + 16;

/**
 * Months put together, or cut, into stretches of about `most` photos: [{offset, count, months}]; `whole`: photos of the month, cut or not.
 * @param {{month: string | null, photos: number, offset: number}[]} months
 */
export const stretches = (months, most = 120) => {
  const found = [];
  for (const month of months) {
    const last = found.at(-1);
    if (last && last.count + month.photos <= most) { last.count += month.photos; last.months.push({ ...month, whole: month.photos }); continue; }
    for (let done = 0; done < month.photos; done += most) {
      const count = Math.min(most, month.photos - done);
      found.push({ offset: month.offset + done, count, months: [{ ...month, offset: month.offset + done, photos: count, whole: month.photos }] });
    }
  }
  return found;
};
