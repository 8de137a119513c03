/** The script of pages with a PDF editor; it takes over their elements by itself. */
import './styles/base.css';
import EditorWidget from './editor/EditorWidget.vue';
import { readEditorOptions } from './editor/options';
import { mountEverywhere } from './mounting';

mountEverywhere('.osis-document-editor', EditorWidget, (element) => ({
  options: readEditorOptions(element),
  host: element,
}));
