// Text: Markdown with variables, made safe by Grafana's own renderer.
import { renderMarkdown } from '@grafana/data';
import { Props, drew } from './parts';

export function TextPanel(props: Props<{ content?: string }>) {
  const content = props.replaceVariables(props.options.content ?? '');
  drew(props, { drawn: true, text: content });
  return <div className="markdown-html ent-text" dangerouslySetInnerHTML={{ __html: renderMarkdown(content) }} />;
}
