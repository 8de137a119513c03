export const shared = {
  'shared.close': 'Close',
  'shared.retry': 'Try again',
  'shared.cancel': 'Cancel',
  'shared.download': 'Download',
  'shared.loading': 'Loading …',
  'shared.previewOf': 'Preview of {name}',
  'fault.offline': 'The server does not answer. Check your connection; what was sent so far is kept.',
  'fault.expired': 'Your access to this file has expired. Reload the page to get a new one.',
  'fault.missing': 'This file no longer exists.',
  'fault.changed': 'This file was changed in another window in the meantime. Reload the page to see how it is now.',
  'fault.tooLarge': 'This file is larger than the server accepts.',
  'fault.rateLimited': 'Too many files were sent in a short time. Try again in a minute.',
  'fault.infected': 'A virus was found in this file, so it cannot be opened.',
  'fault.refused': 'The server refused this.',
  'fault.server':
    'Something went wrong on the server. Try again; if that does not help, tell the people who run this site.',
};
