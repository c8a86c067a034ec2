export { FilmPage } from './FilmPage'
