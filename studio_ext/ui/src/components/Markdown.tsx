/** Markdown, code and the outputs of notebooks, drawn by JupyterLab itself and never trusted. */
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { useStudio } from '../frame/context';

/** Data in one form or several, such as `{"text/html": "...", "text/plain": "..."}`. */
export type MimeBundle = { [type: string]: string | object };

/** The best form of some data that is safe to draw; scripts in it are taken out. */
export function Mime(props: { data: MimeBundle }): React.ReactElement {
  const { rendermime, trans } = useStudio();
  const host = React.useRef<HTMLDivElement>(null);
  const [failure, setFailure] = React.useState('');
  const text = JSON.stringify(props.data);
  const bundle = React.useMemo(() => JSON.parse(text) as MimeBundle, [text]);
  const type = rendermime?.preferredMimeType(bundle as never, 'ensure');
  // A layout effect: its cleanup runs while the element is still in the document, as Lumino wants it.
  React.useLayoutEffect(() => {
    const node = host.current;
    if (!node || !rendermime || !type) {
      return;
    }
    setFailure('');
    const renderer = rendermime.createRenderer(type);
    const model = rendermime.createModel({
      data: bundle as never,
      trusted: false
    });
    Widget.attach(renderer, node);
    renderer
      .renderModel(model)
      .catch((reason: unknown) => setFailure(String(reason)));
    return () => renderer.dispose();
  }, [rendermime, type, bundle]);
  if (!type) {
    const plain = bundle['text/plain'] ?? bundle['text/markdown'];
    return typeof plain === 'string' ? (
      <pre className="atelier-Preview-text">{plain}</pre>
    ) : (
      <p className="atelier-muted">
        {trans.__('This is not shown here: %1', Object.keys(bundle).join(', '))}
      </p>
    );
  }
  return (
    <>
      <div ref={host} className="atelier-Markdown" />
      {failure && <p role="alert">{failure}</p>}
    </>
  );
}

export function Markdown(props: { text: string }): React.ReactElement {
  const data = React.useMemo(
    () => ({ 'text/markdown': props.text }),
    [props.text]
  );
  return <Mime data={data} />;
}

/** Code in the colours of its language. */
export function Code(props: {
  code: string;
  language: string;
}): React.ReactElement {
  const { rendermime } = useStudio();
  return rendermime?.markdownParser ? (
    <div tabIndex={0} role="group" className="atelier-CodeView">
      <Markdown text={fenced(props.code, props.language)} />
    </div>
  ) : (
    <pre tabIndex={0} className="atelier-Preview-text">
      {props.code}
    </pre>
  );
}

/** Code as a block of Markdown; the fence is longer than any in the code. */
export function fenced(code: string, language: string): string {
  const runs = code.match(/`{3,}/g) ?? [];
  const fence = '`'.repeat(Math.max(2, ...runs.map(run => run.length)) + 1);
  return `${fence}${language}\n${code.replace(/\n$/, '')}\n${fence}`;
}
