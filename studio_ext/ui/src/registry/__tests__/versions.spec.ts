/** The pure parts of the pages of models. */
import { nullTranslator } from '@jupyterlab/translation';

import { describeEvent, isDecision } from '../VersionApprovals';
import { deltaOf } from '../VersionCompare';
import { registerCode } from '../VersionsTable';
import { needsTrust } from '../deployment';
import { formatVersions, parseVersions } from '../versionKeys';

const trans = nullTranslator.load('jupyter_atelier');

describe('versions as a text', () => {
  it('comes back whole, also with odd names', () => {
    const versions = [
      { model: 'census', version: 1 },
      { model: 'a~b c', version: 12 }
    ];
    expect(parseVersions(formatVersions(versions))).toEqual(versions);
  });

  it.each(['', 'census', 'census:', ':1', 'census:x'])('refuses %s', text => {
    expect(parseVersions(text)).toEqual([]);
  });
});

describe('deltaOf', () => {
  it('says how far a metric is from the first one', () => {
    expect(deltaOf([0.9, 0.92], 1)).toBe('+0.02000');
    expect(deltaOf([0.92, 0.9], 1)).toBe('−0.02000');
  });

  it('is silent about equal, missing and odd numbers', () => {
    expect(deltaOf([1, 1], 1)).toBe('');
    expect(deltaOf([1, null], 1)).toBe('');
    expect(deltaOf([1, 'NaN'], 1)).toBe('');
  });
});

describe('needsTrust', () => {
  it('asks for trust in code and in types', () => {
    expect(needsTrust({ has_code: true, untrusted_types: [] })).toBe(true);
    expect(needsTrust({ has_code: false, untrusted_types: ['a.B'] })).toBe(
      true
    );
    expect(needsTrust({ has_code: false, untrusted_types: [] })).toBe(false);
  });
});

describe('events', () => {
  const say = (action: string, details: object) =>
    describeEvent({ action, details: details as never }, 2, trans);

  it('are told from the view of the version', () => {
    const alias = { alias: 'champion', version: 3, previous_version: 2 };
    expect(say('model.alias', alias)).toBe(
      'Lost the alias champion to version 3'
    );
    expect(say('model.alias', { ...alias, version: 2 })).toBe(
      'Got the alias champion'
    );
    expect(
      say('model.promote', { alias: 'champion', previous_version: 1 })
    ).toBe('Promoted to champion, in the place of version 1');
    expect(say('endpoint.deploy', { trust: true })).toBe(
      'Deployed, with trust in its code'
    );
    expect(say('model.new_kind', {})).toBe('model.new_kind');
  });

  it('are decisions or not', () => {
    expect(isDecision({ action: 'model.decide' })).toBe(true);
    expect(isDecision({ action: 'model.tag' })).toBe(false);
  });
});

it('writes names into code so that no name breaks it', () => {
  expect(registerCode('a"b')).toContain('register("a\\"b", model');
});
