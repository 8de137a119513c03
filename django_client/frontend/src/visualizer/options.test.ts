import { describe, expect, it } from 'vitest';
import { readVisualizerOptions } from './options';

function read(attributes: Record<string, string>) {
  const element = document.createElement('div');
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(`data-${name}`, value);
  }
  return readVisualizerOptions(element);
}

it('every value is a document that can be read', () => {
  expect(read({ values: 'a,b', 'base-url': '/documents/' })).toEqual({
    baseUrl: '/documents/',
    documents: [
      { kind: 'readable', token: 'a' },
      { kind: 'readable', token: 'b' },
    ],
  });
  expect(read({ values: '' }).documents).toEqual([]);
});

it('the document that is being prepared stands behind those that can be read', () => {
  const { documents } = read({
    values: 'a',
    'post-process-status': 'PENDING',
    'get-progress-url': '/progress/1?signature=x',
    'base-uuid': '1b7c0d3e-2a55-4b7e-9d0a-5a9e7a1c2f3d',
    'wanted-post-process': 'MERGE',
  });
  expect(documents.at(-1)).toEqual({
    kind: 'pending',
    progressUrl: '/progress/1?signature=x&wanted_post_process=MERGE',
  });
});

it('what is wanted begins the query where there is none', () => {
  const attributes = {
    'post-process-status': 'pending',
    'get-progress-url': '/progress/1',
    'wanted-post-process': 'CONVERT',
  };
  expect(read(attributes).documents).toEqual([
    { kind: 'pending', progressUrl: '/progress/1?wanted_post_process=CONVERT' },
  ]);
});

it('a document that could not be made is told of, even without its reason', () => {
  expect(read({ 'post-process-status': 'FAILED', 'get-progress-url': '' }).documents).toEqual([
    { kind: 'failed', reasons: [] },
  ]);
});

it('a status that is none changes nothing', () => {
  expect(
    read({ values: 'a', 'post-process-status': 'DONE', 'get-progress-url': '/progress/1' }).documents,
  ).toHaveLength(1);
  expect(read({ values: 'a', 'post-process-status': 'PENDING' }).documents).toHaveLength(1);
});

describe('a list of documents', () => {
  const documents = [
    { token: 'a' },
    { status: 'PENDING', progress_url: '/progress/1?signature=x', wanted_post_process: '' },
    { status: 'FAILED', errors: { params: {}, messages: ['Too large.', ''] } },
    { error: { code: 'INFECTED', message: 'It has a virus.' } },
  ];

  it('has each of them in its place', () => {
    const read_ = read({ values: 'a', 'post-process-status': 'PENDING', documents: JSON.stringify(documents) });
    expect(read_.documents).toEqual([
      { kind: 'readable', token: 'a' },
      { kind: 'pending', progressUrl: '/progress/1?signature=x' },
      { kind: 'failed', reasons: ['Too large.'] },
      { kind: 'refused', code: 'INFECTED', reason: 'It has a virus.' },
    ]);
  });

  it.each(['', '[', '{}', '[]', 'null'])('that is no such list ("%s") leaves the values as they are', (text) => {
    expect(read({ values: 'a', documents: text }).documents).toEqual([{ kind: 'readable', token: 'a' }]);
  });
});
