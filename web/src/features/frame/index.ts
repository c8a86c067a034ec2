export { Frame } from './Frame'
export { ErrorNote, Loading, Obstructed, PlainPage } from './pages'
