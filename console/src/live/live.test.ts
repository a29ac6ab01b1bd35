import { describe, expect, it } from 'vitest';
import { EventParser } from './sse.ts';
import { streamQuery, Wants } from './wants.ts';

describe('a stream of events', () => {
  const text = ': hello\n\nid: 7\nevent: now\ndata: {"a":\ndata: 1}\n\nevent: log\r\ndata:x\r\n\r\nid: 8\n\n';
  const events = [
    { event: '', data: '', id: '' },
    { event: 'now', data: '{"a":\n1}', id: '7' },
    { event: 'log', data: 'x', id: '7' },
  ];

  it('is the same wherever it is cut', () => {
    for (let cut = 0; cut <= text.length; cut += 1) {
      const parser = new EventParser();
      expect([...parser.feed(text.slice(0, cut)), ...parser.feed(text.slice(cut))]).toEqual(events);
    }
    const letters = new EventParser();
    expect([...text].flatMap((letter) => letters.feed(letter))).toEqual(events);
  });
});

describe('what tabs want', () => {
  it('is one stream, with the filter of failures only where nobody wants all', () => {
    expect(streamQuery([])).toBe('');
    expect(streamQuery(['now', 'failures'])).toBe('topic=now&topic=runs&state=failed&state=timed_out&state=expired');
    expect(streamQuery(['runs', 'failures', 'now'])).toBe('topic=now&topic=runs');
    const many = Array.from({ length: 40 }, (_, at) => `log:${at}`);
    expect(new URLSearchParams(streamQuery(['now', 'runs', ...many])).getAll('topic')).toHaveLength(16);
  });

  it('is what they said last, until they are gone', () => {
    const wants = new Wants(100);
    wants.said('a', ['now'], 0);
    wants.said('b', ['runs'], 50);
    expect([...wants.all(90)]).toEqual(['now', 'runs']);
    expect([...wants.all(120)]).toEqual(['runs']);
    wants.said('b', [], 121);
    expect([...wants.all(121)]).toEqual([]);
  });
});
