import { describe, expect, it } from 'vitest';
import { ServerClock } from './clock.ts';
import { agoText, bytesText, durationText, instantText, offsetText } from './format.ts';
import { zoneOf } from './zone.ts';

const AT = Date.UTC(2026, 2, 29, 0, 59, 59, 7);

describe('an instant', () => {
  it('is written as its zone has it, on both sides of a change of clocks', () => {
    expect(instantText(AT, 'Europe/Berlin', 'en', 'millisecond')).toBe('29 Mar 01:59:59.007');
    expect(instantText(AT + 1_000, 'Europe/Berlin', 'en', 'second')).toBe('29 Mar 03:00:00');
    expect(offsetText(AT, 'Europe/Berlin')).toBe('+01:00');
    expect(offsetText(AT + 1_000, 'Europe/Berlin')).toBe('+02:00');
    expect(offsetText(AT, 'UTC')).toBe('UTC');
    expect(instantText(AT, 'Asia/Shanghai', 'zh-CN', 'second')).toBe('3月29日 08:59:59');
    expect(instantText(Date.UTC(2026, 0, 1), 'UTC', 'en', 'minute')).toBe('1 Jan 00:00');
  });

  it('is in the zone of the job only where there is one', () => {
    expect(zoneOf('job', 'Asia/Tokyo')).toBe('Asia/Tokyo');
    expect(zoneOf('job')).toBe('UTC');
    expect(zoneOf('Europe/Rome', 'Asia/Tokyo')).toBe('Europe/Rome');
  });
});

describe('a duration', () => {
  it('has at most two units', () => {
    expect([0, 840, 3_240, 59_999, 250_000, 3_600_000, 183_600_000].map((ms) => durationText(ms, 'en'))).toEqual([
      '0ms',
      '840ms',
      '3.2s',
      '59s',
      '4m 10s',
      '1h',
      '2d 3h',
    ]);
    expect(durationText(250_000, 'zh-CN')).toBe('4分钟 10秒');
    expect(durationText(-5, 'en')).toBe('0ms');
  });

  it('is told from now, forward and back', () => {
    expect(agoText(0, 5_000, 'en')).toBe('5s ago');
    expect(agoText(120_000, 0, 'en')).toBe('in 2m');
    expect(agoText(900, 0, 'en')).toBe('now');
    expect(agoText(0, 5_000, 'zh-CN')).toBe('5秒前');
  });
});

it('bytes have the unit that fits', () => {
  expect([0, 1_023, 1_536, 5_368_709_120].map((bytes) => bytesText(bytes, 'en'))).toEqual([
    '0 byte',
    '1,023 byte',
    '1.5 kB',
    '5 GB',
  ]);
});

describe('the clock of the cluster', () => {
  it('is not known before it was heard, and then is the fastest answer', () => {
    const clock = new ServerClock();
    expect(clock.at(5)).toBeUndefined();
    clock.heard(0, 1);
    clock.heard(Number.NaN, 1);
    expect(clock.at(5)).toBeUndefined();
    clock.heard(1_000_000, 400);
    clock.heard(1_000_090, 500);
    clock.heard(1_000_250, 600);
    expect(clock.at(600)).toBe(1_000_250);
  });

  it('forgets what was long ago, so that it follows a clock that was set back', () => {
    const clock = new ServerClock();
    clock.heard(9_000, 0);
    for (let at = 0; at < 20; at += 1) clock.heard(1_000 + at, at);
    expect(clock.at(0)).toBe(1_000);
  });
});
