/** The script of pages with uploaders and visualizers; it takes over their elements by itself. */
import './styles/base.css';
import UploaderWidget from './uploader/UploaderWidget.vue';
import { readUploaderOptions } from './uploader/options';
import VisualizerWidget from './visualizer/VisualizerWidget.vue';
import { readVisualizerOptions } from './visualizer/options';
import { mountEverywhere } from './mounting';

mountEverywhere('.osis-document-uploader', UploaderWidget, (element) => ({
  options: readUploaderOptions(element),
  host: element,
}));
mountEverywhere('.osis-document-visualizer', VisualizerWidget, (element) => ({
  options: readVisualizerOptions(element),
}));
